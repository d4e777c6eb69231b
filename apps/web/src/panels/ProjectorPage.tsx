/** The page for a wall: stage, caption and clock, read from the last row, in colours that a weak projector can show. */
import '../rooms/projected.css';
import '../styles/projector.css';
import { useEffect, type ReactNode } from 'react';
import { t } from '../messages/catalogue.ts';
import { StageArea } from '../stage/StageArea.tsx';
import { Caption } from './Caption.tsx';
import { CommandBar } from './CommandBar.tsx';
import { ContainerOutput } from './ContainerOutput.tsx';
import { Header } from './Header.tsx';
import { Transport } from './Transport.tsx';

export const ProjectorPage = ({ aside }: { aside: ReactNode }) => {
  useEffect(() => {
    document.documentElement.dataset['contrast'] = 'high';
    return () => {
      delete document.documentElement.dataset['contrast'];
    };
  }, []);
  return (
    <div className="page projector">
      <Header />
      <CommandBar />
      <main className="projector-rooms">
        <div className="projected">
          <StageArea />
          <Caption mayCatchUp />
        </div>
        <div className="projector-aside">
          {aside}
          <ContainerOutput />
        </div>
      </main>
      <section className="dock" aria-label={t().dock.region}>
        <Transport />
      </section>
    </div>
  );
};
