/** Writes GGUF files with F32 tensors, for tests. */

class Writer {
  #parts = [];
  #length = 0;
  get length() {
    return this.#length;
  }
  bytes(buffer) {
    this.#parts.push(buffer);
    this.#length += buffer.length;
  }
  #number(size, write) {
    const buffer = Buffer.alloc(size);
    write(buffer);
    this.bytes(buffer);
  }
  u32(value) {
    this.#number(4, (b) => b.writeUInt32LE(value));
  }
  u64(value) {
    this.#number(8, (b) => b.writeBigUInt64LE(BigInt(value)));
  }
  f32(value) {
    this.#number(4, (b) => b.writeFloatLE(value));
  }
  text(value) {
    const buffer = Buffer.from(value);
    this.u64(buffer.length);
    this.bytes(buffer);
  }
  pad() {
    this.bytes(Buffer.alloc((32 - (this.#length % 32)) % 32));
  }
  /**
   * u32 for integers, f32 for { f32 }, string, bool, arrays of strings (8) or integers (i32, 5), f32 for a
   * Float32Array, u32 for a Uint32Array.
   */
  value(value) {
    if (typeof value === 'string') {
      this.u32(8);
      this.text(value);
    } else if (typeof value === 'boolean') {
      this.u32(7);
      this.bytes(Buffer.from([value ? 1 : 0]));
    } else if (typeof value === 'number') {
      this.u32(4);
      this.u32(value);
    } else if (Array.isArray(value)) {
      this.u32(9);
      this.u32(typeof value[0] === 'string' ? 8 : 5);
      this.u64(value.length);
      for (const item of value) typeof item === 'string' ? this.text(item) : this.u32(item >>> 0);
    } else if (value instanceof Uint32Array) {
      this.u32(9);
      this.u32(4);
      this.u64(value.length);
      for (const item of value) this.u32(item);
    } else if (value instanceof Float32Array) {
      this.u32(9);
      this.u32(6);
      this.u64(value.length);
      for (const item of value) this.f32(item);
    } else {
      this.u32(6);
      this.f32(value.f32);
    }
  }
  done() {
    return Buffer.concat(this.#parts);
  }
}

/**
 * @param pairs metadata; a value of undefined leaves its key out
 * @param tensors by name: shape in GGUF's order (row length first) and F32 values
 */
export function writeGguf(pairs, tensors) {
  const entries = Object.entries(pairs).filter(([, value]) => value !== undefined);
  const all = Object.entries(tensors);
  const out = new Writer();
  out.bytes(Buffer.from('GGUF'));
  out.u32(3);
  out.u64(all.length);
  out.u64(entries.length);
  for (const [key, value] of entries) {
    out.text(key);
    out.value(value);
  }
  let offset = 0;
  for (const [name, { shape, values }] of all) {
    out.text(name);
    out.u32(shape.length);
    for (const extent of shape) out.u64(extent);
    out.u32(0); // F32
    out.u64(offset);
    offset += Math.ceil((values.length * 4) / 32) * 32;
  }
  out.pad();
  for (const [, { values }] of all) {
    out.bytes(Buffer.from(values.buffer, values.byteOffset, values.byteLength));
    out.pad();
  }
  return out.done();
}
