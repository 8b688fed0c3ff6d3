/** What an answer says, as far as its form tells. */
import type { Node } from './node.js';

export type Answer =
  | {
      readonly kind: 'expression';
      readonly source: string;
      readonly node: Node;
      readonly percent: boolean;
      readonly unit: string | null;
    }
  /** Brackets as written, "()" or "[)"; "{}" is a set, "" a list without brackets. */
  | {
      readonly kind: 'group';
      readonly source: string;
      readonly brackets: string;
      readonly items: readonly Answer[];
      /** Of a list of conditions: one of them holds ("or"). */
      readonly either?: true;
    }
  /** ∪, ∩ or \ of sets. */
  | { readonly kind: 'sets'; readonly source: string; readonly operator: string; readonly parts: readonly Answer[] }
  | { readonly kind: 'matrix'; readonly source: string; readonly rows: readonly (readonly Answer[])[] }
  /** sides[0] operators[0] sides[1] operators[1] … */
  | {
      readonly kind: 'relation';
      readonly source: string;
      readonly sides: readonly Answer[];
      readonly operators: readonly string[];
    }
  | { readonly kind: 'text'; readonly source: string }
  /** Neither words nor anything that can be read as maths. */
  | { readonly kind: 'unreadable'; readonly source: string };

export type Relation = Answer & { kind: 'relation' };
export type Group = Answer & { kind: 'group' };
export type Expression = Answer & { kind: 'expression' };
