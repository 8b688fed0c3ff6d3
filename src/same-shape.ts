/** Whether two types hold the same values: a schema says in values what a type says, and neither may know more. */

/** Without `readonly`, all the way down; what may be absent may be undefined too: in JSON that is the same. */
type Plain<Value> = Value extends readonly (infer Item)[]
  ? Plain<Item>[]
  : Value extends object
    ? { -readonly [Name in keyof Value]: Exclude<Plain<Value[Name]>, undefined> }
    : Value;

type Extends<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

export type SameShape<A, B> = Extends<Plain<A>, Plain<B>>;
