import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import '@fontsource-variable/inter/index.css';
import '@fontsource-variable/jetbrains-mono/index.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/page.css';
import './styles/header.css';
import './styles/command.css';
import './styles/stage.css';
import './styles/actor.css';
import './styles/columns.css';
import './styles/travel.css';
import './styles/actor-list.css';
import './styles/caption.css';
import './styles/transport.css';
import './styles/dock.css';
import './styles/swimlanes.css';
import './styles/events.css';
import './styles/inspector.css';
import './styles/output.css';
import './styles/runs.css';
import './styles/verdict.css';
import { App } from './app.tsx';
import { startLanguage } from './messages/catalogue.ts';
import { roomPlace } from './rooms/room-place.ts';
import { RoomPage } from './rooms/RoomPage.tsx';
import { startSession } from './session.ts';
import { applyTheme } from './theme.ts';

applyTheme();
const place = roomPlace(location);
if (!place) startSession();
const root = document.getElementById('root');
if (root) {
  await startLanguage();
  createRoot(root).render(<StrictMode>{place ? <RoomPage place={place} /> : <App />}</StrictMode>);
}
