import { render } from 'preact';
import './base/tokens.css';
import './base/base.css';
import { App, fetchPlace } from './app.tsx';
// The browser offers installing once, early.
import './base/install.ts';
import { startLocale } from './base/i18n.ts';
import { startTheme } from './base/theme.ts';
import { startServiceWorker } from './base/service-worker.ts';
import { startSlowNotice } from './base/slow-notice.ts';
import { loadMe } from './base/session.ts';
import { startRouter } from './base/router.ts';

const root = document.getElementById('app');
if (root === null) throw new Error('the page has no place for the app');

startTheme();
startRouter();
fetchPlace();
await Promise.all([startLocale(), loadMe()]);
render(<App />, root);
startSlowNotice();
startServiceWorker();
