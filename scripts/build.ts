/** `npm run build`: emit the JavaScript that the published package carries (Node strips no types under node_modules). */
import { spawnSync } from 'node:child_process';
import { copyFileSync, rmSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
const result = spawnSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });
if (result.status !== 0) process.exit(result.status ?? 1);
// What is no program but belongs to it.
const MODEL = 'flow/spam/classifier/cold-start.bin';
copyFileSync(`src/${MODEL}`, `dist/${MODEL}`);
// The web app lies beside, where the program looks for it in the checkout too.
const web = spawnSync(process.execPath, ['scripts/web.ts'], { stdio: 'inherit' });
if (web.status !== 0) process.exit(web.status ?? 1);
console.log('built dist/ and web/dist/');
