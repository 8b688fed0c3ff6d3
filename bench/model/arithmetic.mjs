/** The paper's Appendix A: claims about sums of 3 to 10 numbers, judged by thinking and by a program. Both greedy. */
import { profileFor } from '../../dist/prompt/profile.js';
import { renderPrompt } from '../../dist/prompt/prompt.js';
import { extractCode } from '../../dist/verify/extract-code.js';
import { generate } from '../lib/generator.mjs';
import { bootstrap } from '../lib/statistics.mjs';

const CLAIMS = 200;
const GREEDY = { temperature: 0, topK: 0, topP: 1, minP: 0 };

export async function arithmetic({ engine, sandbox, seed }) {
  const { roles } = profileFor(engine.model);
  const claims = generate('arithmetic', '--count', CLAIMS, '--seed', seed);
  const replies = async (role, maxTokens) => {
    const rendered = claims.map(({ claim }) => renderPrompt(engine, role, { problem: claim }));
    const prompts = (await Promise.all(rendered)).map(({ tokens }) => ({ tokens, seeds: [0] }));
    return (await engine.sample({ prompts, sampler: GREEDY, maxTokens })).samples.map(({ text }) => text);
  };
  const thought = (await replies(roles.think, 200)).map((text) => text.trim().split('\n').at(-1));
  const printed = await Promise.all(
    (await replies(roles.code, 120)).map(async (text) => {
      const code = extractCode(text);
      return code === null ? '' : (await sandbox.run({ code, timeoutMs: 2000 })).stdout.trim();
    }),
  );
  const right = (says, claim) => Number(says === (claim.true ? 'True' : 'False'));
  const table = (says) =>
    Object.fromEntries(
      [...new Set(claims.map(({ operands }) => operands))].map((operands) => [
        operands,
        bootstrap(claims.flatMap((claim, i) => (claim.operands === operands ? [right(says[i], claim)] : []))),
      ]),
    );
  return { claimsOfEachLength: CLAIMS, byThinking: table(thought), byProgram: table(printed) };
}
