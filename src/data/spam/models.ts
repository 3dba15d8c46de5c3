import type { ReadTx, WriteTx } from '../db/sql.ts';
import { allModels, modelOf, type ModelRow, ownerExists, putModel } from './models.sql.ts';
import { type LearnedBatch, type ModelInfo, type ModelState, SITE, type StoredModel } from './types.ts';

/** Save a model; that of an account which went meanwhile is dropped. */
export async function saveModel(tx: WriteTx, given: LearnedBatch['models'][number]): Promise<void> {
  const { owner, ham, spam } = given;
  if (owner !== SITE && (await tx.get(ownerExists, owner)) === undefined) return;
  await tx.run(putModel, owner, ham, spam, tx.now, given.model);
}

export function stateOf(row: Omit<ModelRow, 'owner'>): ModelState {
  return { ham: row.ham, spam: row.spam, updatedAt: row.updated_at };
}

export async function model(tx: ReadTx, { owner }: { owner: number }): Promise<StoredModel | undefined> {
  const row = await tx.get(modelOf, owner);
  return row && { owner: row.owner, ...stateOf(row), model: row.model };
}

export async function modelInfo(tx: ReadTx): Promise<ModelInfo[]> {
  return (await tx.all(allModels)).map((row) => ({ owner: row.owner, ...stateOf(row), bytes: row.bytes }));
}
