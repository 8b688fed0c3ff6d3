/** Reads GGUF files whose tensors are F32 or F16, for tests. What it gives is what writeGguf takes. */

/** @param {number} bits of an IEEE binary16 */
function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) throw new Error('a weight that is no number');
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** @param {Buffer} bytes */
export function readGguf(bytes) {
  let at = 8; // after the magic number and the version
  const u32 = () => bytes.readUInt32LE((at += 4) - 4);
  const f32 = () => bytes.readFloatLE((at += 4) - 4);
  const u64 = () => Number(bytes.readBigUInt64LE((at += 8) - 8));
  const text = () => {
    const length = u64();
    return bytes.toString('utf8', at, (at += length));
  };
  const many = (count, read) => Array.from({ length: count }, read);
  const value = (type) => {
    if (type === 4) return u32();
    if (type === 6) return { f32: f32() };
    if (type === 7) return bytes.readUInt8(at++) !== 0;
    if (type === 8) return text();
    if (type !== 9) throw new Error(`a value of type ${type} is not read`);
    const item = u32();
    const count = u64();
    if (item === 4) return Uint32Array.from(many(count, u32));
    if (item === 5) return many(count, () => u32() | 0);
    if (item === 6) return Float32Array.from(many(count, f32));
    if (item === 8) return many(count, text);
    throw new Error(`a list of type ${item} is not read`);
  };

  if (bytes.toString('latin1', 0, 4) !== 'GGUF') throw new Error('not a GGUF');
  const tensorCount = u64();
  const pairs = Object.fromEntries(many(u64(), () => [text(), value(u32())]));
  const entries = many(tensorCount, () => ({ name: text(), shape: many(u32(), u64), type: u32(), offset: u64() }));
  const start = Math.ceil(at / 32) * 32;
  const tensors = {};
  for (const { name, shape, type, offset } of entries) {
    const from = start + offset;
    if (type !== 0 && type !== 1) throw new Error(`${name}: a tensor of type ${type} is not read`);
    const read =
      type === 0 ? (i) => bytes.readFloatLE(from + 4 * i) : (i) => fromHalf(bytes.readUInt16LE(from + 2 * i));
    const length = shape.reduce((product, extent) => product * extent, 1);
    tensors[name] = { shape, values: Float32Array.from({ length }, (_, i) => read(i)) };
  }
  return { pairs, tensors };
}
