import { fileURLToPath } from 'node:url';

/** Where the files of the web app are, when it is built: beside the program, in the checkout and in the package. */
export function webDirectory(): string {
  // This file lies in src/app, or in dist/app.
  return fileURLToPath(new URL('../../web/dist', import.meta.url));
}
