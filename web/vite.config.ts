import { defineConfig } from 'vite';

/** The web app: one entry, every area a chunk of its own that is fetched when it is first needed. */
export default defineConfig({
  root: import.meta.dirname,
  // The same library with its rarer curves and ciphers in files of their own, fetched when a key needs them.
  resolve: { alias: [{ find: /^openpgp$/, replacement: 'openpgp/lightweight' }] },
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
            // Other people's work under the LGPL: a file of its own, which anybody may put another in the place of.
            { name: 'openpgp', test: /openpgp\/dist\/lightweight\/openpgp\.min\.mjs$/ },
          ],
        },
      },
    },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
  },
});
