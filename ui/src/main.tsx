import { getCurrentWindow } from '@tauri-apps/api/window';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import '#ui/theme.css';
import { App } from '#ui/App';
import { connect } from '#ui/client';
import { IncomingPopup } from '#ui/ring/IncomingPopup';

const place = document.getElementById('root');
if (place !== null) {
  connect();
  const isPopup = getCurrentWindow().label === 'ring';
  createRoot(place).render(<StrictMode>{isPopup ? <IncomingPopup /> : <App />}</StrictMode>);
}
