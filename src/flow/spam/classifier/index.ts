/** The statistical classifier: features of a message, models that learn, calibrated scores. Pure and synchronous. */
export { calibrate, thresholdNats, type Calibration, type Sketch } from './calibration.ts';
export { COLD_START_FILE, coldStart } from './cold-start.ts';
export { type ContentJudgement, explainedScore, GOOD_PER_JUNKED, offlineScore } from './combine.ts';
export { explainedFeatures, features, type RuleHit } from './features.ts';
export { createModel, type Label, learn, learnPersonal, type Model, personalNats } from './model.ts';
export { linksPart, type Score, score, type Strength, strongest, threshold } from './score.ts';
export type { Features, FeatureText } from './sink.ts';
export { linksLeadHome } from './own-links.ts';
export { loadModel, MODEL_VERSION, ModelError, type Precision, saveModel } from './store.ts';
export { BATCH_EXAMPLES, type Example, train, type TrainOptions } from './train.ts';
