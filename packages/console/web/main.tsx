import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import './styles.css';
// This module removes the code from the address before the router reads the address.
import './app/sign-in-link.ts';

import { setNonce } from 'get-nonce';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/app.tsx';
import { getNonce } from './app/nonce.ts';
import { signInLink } from './app/sign-in-link.ts';

// The library that locks scrolling while a dialog is open reads the nonce from here.
setNonce(getNonce());
createRoot(document.getElementById('app') as HTMLElement).render(
  <StrictMode>
    <App link={signInLink} />
  </StrictMode>,
);
