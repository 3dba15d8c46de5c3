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
    // What every page has comes in two files, not in twenty: each request costs more than what it saves.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            {
              name: 'base',
              test: /node_modules\/@?preact|\/src\/base\/(?!push|webauthn|side-layout|.*\.css$)/,
            },
            { name: 'jmap', test: /\/src\/jmap\// },
          ],
        },
      },
    },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
  },
});
