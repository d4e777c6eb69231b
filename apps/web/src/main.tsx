import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import '@fontsource-variable/inter/index.css';
import '@fontsource-variable/jetbrains-mono/index.css';
import './styles/tokens.css';
import './styles/page.css';
import './styles/stage.css';
import './styles/panels.css';
import { App } from './app.tsx';
import { roomPlace } from './rooms/room-place.ts';
import { RoomPage } from './rooms/RoomPage.tsx';
import { startSession } from './session.ts';
import { applyTheme } from './theme.ts';

applyTheme();
const place = roomPlace(location);
if (!place) startSession();
const root = document.getElementById('root');
if (root) {
  createRoot(root).render(<StrictMode>{place ? <RoomPage place={place} /> : <App />}</StrictMode>);
}
