declare module 'unbzip2-stream' {
  /** An old-style through stream: packed bytes in, plain ones out. */
  export default function unbzip2Stream(): NodeJS.ReadWriteStream;
}
