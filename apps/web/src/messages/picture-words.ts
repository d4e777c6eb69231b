/** What stands in a picture of the stage besides the stage. */
import { inLanguages } from './catalogue.ts';

export const pictureWords = inLanguages({
  en: {
    recorded: 'recorded run',
    socket: 'over a socket',
    exec: 'starts a process',
    parent: 'is the parent of',
    works: 'works',
    waits: 'waits',
    held: 'is held',
    gone: 'is gone',
    absent: 'not there',
    made: 'Engine Room. Drawn from the trace of real processes.',
    onStage: 'On the stage:',
    title: (command: string) => `Engine Room: ${command}`,
    noCanvas: 'this browser does not draw',
    noStage: 'There is no stage to be seen here.',
    failed: (why: string) => `The picture could not be made: ${why}`,
  },
  de: {
    recorded: 'aufgezeichneter Lauf',
    socket: 'über einen Socket',
    exec: 'startet einen Prozess',
    parent: 'ist Elternprozess von',
    works: 'arbeitet',
    waits: 'wartet',
    held: 'wird gehalten',
    gone: 'ist weg',
    absent: 'nicht da',
    made: 'Engine Room. Gezeichnet nach der Spur echter Prozesse.',
    onStage: 'Auf der Bühne:',
    title: (command) => `Engine Room: ${command}`,
    noCanvas: 'dieser Browser zeichnet nicht',
    noStage: 'Hier ist keine Bühne zu sehen.',
    failed: (why) => `Das Bild konnte nicht gemacht werden: ${why}`,
  },
});
