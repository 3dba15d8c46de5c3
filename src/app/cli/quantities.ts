export * from '../../base/quantities.ts';
