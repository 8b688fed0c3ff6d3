/** Public surface of the package; nothing else is API. */
export { T1Error, type ErrorCode } from './errors.js';
export { listBackends, listDevices, loadEngine, type EngineOptions } from './engine/engine.js';
export type {
  Adapter,
  ClassifyRequest,
  ClassifyResult,
  DeviceInfo,
  Engine,
  EngineStatistics,
  FinishReason,
  KvCosts,
  KvLayout,
  ModelInfo,
  Sample,
  SampleRequest,
  SampleResult,
  SamplerOptions,
  ScoreRequest,
  ScoreResult,
  TextPiece,
  TopLogprobs,
  Usage,
} from './engine/engine-types.js';
export { addToIndex, type AddOptions, type AddProgress, type AddSummary } from './knowledge/add.js';
export { KnowledgeIndex, type Bm25, type Hit, type Passage } from './knowledge/knowledge-index.js';
export { openKnowledge } from './knowledge/shipped.js';
export * from './statistics/index.js';
export { extractChoice, type ChoiceOptions } from './grade/choice.js';
export { extractAnswer } from './grade/extract.js';
export {
  grade,
  Grader,
  type Grade,
  type GradeKind,
  type GradeOptions,
  type GradePair,
  type GraderOptions,
} from './grade/grader.js';
export { answerGroups, type SameAnswer } from './grade/same.js';
export { resolveModel } from './model/resolve.js';
export { solveOptions, type SolveOptions, type SolveSettings } from './options.js';
export { Sandbox, type SandboxOptions } from './sandbox/sandbox.js';
export { select, selectors, type SelectorName } from './select/select.js';
export { createSolver, type Solver, type SolverOptions } from './solver.js';
export type { SolveCall, Solving } from './solve.js';
export type { SessionOptions } from './session.js';
export type { EvaluateTask, Evaluation } from './evaluate.js';
export type { EvaluateProgress } from './runs/progress-meter.js';
export { shippedModel } from './paths.js';
export type { Tool, ToolReply, ToolRequest } from './verify/tool.js';
export { Store } from './store/store.js';
export { outputJsonSchema, outputNames, outputSchemas } from './output/output-schemas.js';
export type { OutputName } from './output/versions.js';
export { resultJsonSchema, resultSchema } from './result-schema.js';
export { jsonSchemaOf } from './settings/settings-docs.js';
export { solveSettings } from './settings/solve-settings.js';
export type * from './types.js';
