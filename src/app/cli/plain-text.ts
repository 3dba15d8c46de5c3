export * from '../../base/plain-text.ts';
