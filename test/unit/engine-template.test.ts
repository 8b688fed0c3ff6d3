import { describe, expect, test } from 'vitest';
import { renderChat } from '../../src/engine/chat-template.js';
import { FakeEngine } from '../../src/testing/fake-engine.js';
import type { ChatMessage, ModelInfo } from '../../src/engine/engine-types.js';

const model = (chatTemplate: string | undefined): ModelInfo => ({
  ...new FakeEngine({ answer: () => '' }).model,
  name: 'test',
  bosToken: '<s>',
  eosToken: '</s>',
  chatTemplate,
});
const messages: ChatMessage[] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: '1 + 1?' },
];

describe('renderChat', () => {
  test('roles, special tokens and the generation prompt', () => {
    const source =
      '{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}';
    const start = '<s>[system]Be brief.</s>[user]1 + 1?</s>';
    expect(renderChat(model(source), messages, { addGenerationPrompt: true })).toBe(`${start}[assistant]`);
    expect(renderChat(model(source), messages, { addGenerationPrompt: false })).toBe(start);
  });

  test('a longer conversation begins with the shorter', () => {
    const source =
      "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] + '\\n' }}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}";
    const short = renderChat(model(source), messages, { addGenerationPrompt: true });
    const long = renderChat(
      model(source),
      [...messages, { role: 'assistant', content: '2' }, { role: 'user', content: 'Sure?' }],
      { addGenerationPrompt: true },
    );
    expect(long.startsWith(short)).toBe(true);
  });

  test('no template is an error that names the fix', () => {
    expect(() => renderChat(model(undefined), messages, { addGenerationPrompt: true })).toThrowError(
      expect.objectContaining({
        code: 'MODEL_INVALID',
        message: expect.stringContaining('no chat template') as unknown,
      }),
    );
  });

  test("a template's own refusal, and a template that is no Jinja, are clear errors", () => {
    for (const [source, why] of [
      ["{{ raise_exception('only user turns') }}", 'only user turns'],
      ['{% for %}', ''],
      ['{{ nothing() }}', ''],
    ] as const) {
      expect(() => renderChat(model(source), messages, { addGenerationPrompt: true })).toThrowError(
        expect.objectContaining({ code: 'MODEL_INVALID', message: expect.stringContaining(why) as unknown }),
      );
    }
  });

  test('variables and the clock', () => {
    const source = "{{ enable_thinking }} {{ strftime_now('%Y') }}";
    expect(renderChat(model(source), [], { addGenerationPrompt: true, variables: { enable_thinking: false } })).toBe(
      `false ${new Date().getFullYear()}`,
    );
  });
});
