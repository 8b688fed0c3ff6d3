/** The other end of child.mjs. Arguments: URL of the module, name of its function. */
const [href, name] = process.argv.slice(2);
process.on('disconnect', () => process.exit(1)); // the parent is gone
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

process.once('message', async (input) => {
  let answer;
  try {
    answer = { result: await (await import(href))[name](input) };
  } catch (error) {
    answer = { error: error.stack ?? String(error) };
  }
  process.send(answer, () => process.exit(0));
});
