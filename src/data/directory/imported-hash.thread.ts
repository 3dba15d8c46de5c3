import { parentPort } from 'node:worker_threads';
import { matchesImported } from './imported-hashes.ts';

export interface HashQuestion {
  readonly id: number;
  readonly password: string;
  readonly hash: string;
}

export interface HashAnswer {
  readonly id: number;
  readonly matches: boolean;
}

parentPort?.on('message', (question: HashQuestion) => {
  void matchesImported(question.password, question.hash).then((matches) => {
    const answer: HashAnswer = { id: question.id, matches };
    parentPort?.postMessage(answer);
  });
});
