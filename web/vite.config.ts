import { defineConfig } from 'vite';

/** The web app: one entry, every area a chunk of its own that is fetched when it is first needed. */
export default defineConfig({
  root: import.meta.dirname,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    // Fonts and images stay files: the policy of the pages allows data: for images of messages only.
    assetsInlineLimit: 0,
    // The policy of the pages has no place for the script that this would add.
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
  },
});
