/** `npm run build`: emit the JavaScript that the published package carries (Node strips no types under node_modules). */
import { spawnSync } from 'node:child_process';
import { copyFileSync, rmSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
const result = spawnSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });
if (result.status !== 0) process.exit(result.status ?? 1);
// What is no program but belongs to it.
const MODEL = 'flow/spam/classifier/cold-start.bin';
copyFileSync(`src/${MODEL}`, `dist/${MODEL}`);
console.log('built dist/');
