/**
 * Files beside the training data: settings of the paper (arXiv 2504.04718, table 2) for the trainers that people use,
 * and what to do with them.
 */
import type { DistillSummary } from './distill-summary.js';

const RECIPE = {
  rank: 64,
  alpha: 128,
  learningRate: 1e-4,
  batch: 16,
  maxLength: 2048,
  epochs: { tool: 3, reward: 1 },
} as const;
export const MAX_LENGTH = RECIPE.maxLength;

/** github.com/axolotl-ai-cloud/axolotl: `axolotl train axolotl.yaml` */
export const axolotl = ({
  role,
  baseModel,
}: Pick<DistillSummary, 'role' | 'baseModel'>): string => `base_model: ${JSON.stringify(baseModel)}
datasets:
  - path: data.jsonl
    type: chat_template
    field_messages: messages
    roles_to_train: []        # the marks in the data say which turn is learnt
    message_field_training: train
adapter: lora
lora_r: ${RECIPE.rank}
lora_alpha: ${RECIPE.alpha}
lora_target_linear: true
learning_rate: ${RECIPE.learningRate}
lr_scheduler: linear
optimizer: adamw_torch
num_epochs: ${RECIPE.epochs[role]}
gradient_accumulation_steps: 4
micro_batch_size: ${RECIPE.batch / 4}
sequence_len: ${RECIPE.maxLength}
train_on_inputs: false
bf16: auto
output_dir: adapter
`;

/** huggingface.co/docs/trl: `trl sft --config trl.yaml` */
export const trl = ({
  role,
  baseModel,
}: Pick<DistillSummary, 'role' | 'baseModel'>): string => `model_name_or_path: ${JSON.stringify(baseModel)}
dataset_name: json
data_files: data.jsonl
use_peft: true
lora_r: ${RECIPE.rank}
lora_alpha: ${RECIPE.alpha}
lora_target_modules: all-linear
learning_rate: ${RECIPE.learningRate}
lr_scheduler_type: linear
optim: adamw_torch
num_train_epochs: ${RECIPE.epochs[role]}
gradient_accumulation_steps: 4
per_device_train_batch_size: ${RECIPE.batch / 4}
max_length: ${RECIPE.maxLength}
output_dir: adapter
`;

export const readme = ({
  role,
  baseModel,
  kept,
  drops,
  teacher,
  student,
}: DistillSummary): string => `# Training data for the ${role} role

${kept} conversations: solutions by ${student}, ${role === 'tool' ? 'programs' : 'judgements'} by ${teacher}. Dropped:
${
  Object.entries(drops)
    .map(([why, count]) => `${count} ${why}`)
    .join(', ') || 'none'
}.

\`data.jsonl\` has a conversation in \`messages\` on each line; only its last turn is to be learnt. Settings are those of
arXiv 2504.04718, table 2. Train with one of

    axolotl train axolotl.yaml
    trl sft --config trl.yaml

(Unsloth takes the same file: \`load_dataset("json", data_files="data.jsonl")\`.) Make a GGUF of the adapter with llama.cpp's
converter, and use it:

    python convert_lora_to_gguf.py --base-model-id ${baseModel} --outfile ${role}.gguf adapter
    t1 solve "…" -m MODEL.gguf --adapter-${role} ${role}.gguf
`;
