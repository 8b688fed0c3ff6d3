/** Public surface of the statistics. */
export { stopping, type Stopping, type StoppingOptions } from './stopping.js';
export {
  bootstrapMeans,
  bootstrapRatio,
  bootstrapShares,
  pairedBootstrap,
  type BootstrapOptions,
  type Comparison,
  type Estimate,
  type Shape,
} from './bootstrap.js';
export { calibrationOf, type Calibration, type CalibrationBin } from './calibration.js';
export { computeCurve, type ComputePoint } from './compute.js';
export { doublingSizes, outcomesOf, type OutcomeOptions, type Outcomes } from './outcomes.js';
export { passAtK } from './pass-at-k.js';
export type { Work } from '../budget/work.js';
export type { Known, KnownCandidate } from '../budget/known.js';
export type { Policy, Seen, Stop, WorkKind } from '../budget/policy.js';
export {
  groupByEquality,
  groupByKey,
  poolsOf,
  type Costs,
  type Grouping,
  type PoolCandidate,
  type PoolProblem,
  type Pools,
} from './pools.js';
export { readPools } from './read-pools.js';
export {
  simulateAdaptive,
  type AdaptiveOptions,
  type AdaptiveResult,
  type AdaptiveSide,
  type AdaptiveStrategy,
} from './simulate-adaptive.js';
export {
  simulatePolicy,
  type ConfidenceBin,
  type PolicyOptions,
  type PolicyResult,
  type PolicySide,
} from './simulate-policy.js';
export { strategyNames, type StrategyName } from './strategies.js';
export {
  accuracyByPart,
  accuracyCurve,
  compareStrategies,
  type Accuracies,
  type Accuracy,
  type CurvePoint,
  type Part,
} from './summary.js';
export { unified } from './unify.js';
export {
  verifierQuality,
  type Judgement,
  type KindQuality,
  type RewardQuality,
  type VerifierQuality,
  type VerifierQualityOptions,
} from './verifier-quality.js';
