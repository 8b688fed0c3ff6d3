import { stemmer } from 'stemmer';
import { describe, expect, test } from 'vitest';
import { Analyzer } from '../../src/knowledge/analysis.js';
import { compareCodePoints } from '../../src/knowledge/code-points.js';
import { eachWord } from '../../src/knowledge/word-break.js';
import { cpuTimeOf } from '../support/cpu-time.js';

function wordsOf(text: string): string[] {
  const words: string[] = [];
  eachWord(text, (word) => words.push(word));
  return words;
}

/** What Lucene's StandardTokenizer, EnglishPossessiveFilter and LowerCaseFilter make of it. */
const WORDS: [text: string, words: string[]][] = [
  ['', []],
  [' \t\n', []],
  ['The quick brown fox.', ['the', 'quick', 'brown', 'fox']],
  ['well-known, state-of-the-art', ['well', 'known', 'state', 'of', 'the', 'art']],
  ["don't can't O'Neill's", ["don't", "can't", "o'neill"]],
  ["'quoted' ''twice'' dogs'", ['quoted', 'twice', 'dogs']],
  ["Newton's law, newton’s law, NEWTON'S", ['newton', 'law', 'newton', 'law', 'newton']],
  ['3.14 1,000,000 2nd x2 10% 1;2 3:4', ['3.14', '1,000,000', '2nd', 'x2', '10', '1;2', '3', '4']],
  ['U.S.A. e.g. end. a.1 1.a', ['u.s.a', 'e.g', 'end', 'a', '1', '1', 'a']],
  ['snake_case _lead __ a__b', ['snake_case', '_lead', 'a__b']],
  ['foo@bar.com http://x.org/y?z=1', ['foo', 'bar.com', 'http', 'x.org', 'y', 'z', '1']],
  ['a:b a::b', ['a:b', 'a', 'b']],
  ['C++ F=ma (x+y)/2', ['c', 'f', 'ma', 'x', 'y', '2']],
  ['naïve café Straße ÉCOLE', ['naïve', 'café', 'straße', 'école']],
  ['re\u0301sume\u0301', ['résumé']],
  ['23–16 Berlin—Paris “quoted” 10€', ['23', '16', 'berlin', 'paris', 'quoted', '10']],
  ['½ 6½ H₂O', ['6', 'h', 'o']],
  ['日本語 ひらがな カタカナ', ['日', '本', '語', 'ひ', 'ら', 'が', 'な', 'カタカナ']],
  ['한국어 텍스트', ['한국어', '텍스트']],
  ['Привет мир', ['привет', 'мир']],
  ['שלום', ['שלום']],
  ['abc\u200ddef', ['abc\u200ddef']],
  ['\u0000a\u0000b', ['a', 'b']],
  ['İstanbul', ['istanbul']],
];

describe('words', () => {
  test.each(WORDS)('%j', (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });

  test('a word beyond ASCII beside one within it is cut by the same rules', () => {
    expect(wordsOf("l'été d'Été x.é 1,é é.x")).toEqual(["l'été", "d'été", 'x.é', '1', 'é', 'é.x']);
  });

  test('very long words are cut at 255', () => {
    expect(wordsOf('a'.repeat(600)).map((word) => word.length)).toEqual([255, 255, 90]);
    expect(wordsOf('é'.repeat(300)).map((word) => word.length)).toEqual([255, 45]);
  });

  test('a lone surrogate and noise do no harm', () => {
    expect(wordsOf('a\ud800b \udc00 x')).toContain('x');
  });

  test('a long text without spaces takes linear time', () => {
    const analysing = (): void => {
      wordsOf("a'".repeat(100_000));
      wordsOf('é,'.repeat(20_000));
    };
    expect(cpuTimeOf(analysing)).toBeLessThan(5000);
  });
});

/**
 * From M. F. Porter, An algorithm for suffix stripping (1980): every example of its steps that survives all steps, and
 * some of the published vocabulary.
 */
const STEMS =
  'caresses caress, ponies poni, ties ti, caress caress, cats cat, feed feed, agreed agre, plastered plaster, bled bled, motoring motor, sing sing, ' +
  'conflated conflat, troubled troubl, sized size, hopping hop, tanned tan, falling fall, hissing hiss, fizzed fizz, failing fail, filing file, happy happi, sky sky, ' +
  'relational relat, conditional condit, rational ration, valenci valenc, hesitanci hesit, digitizer digit, conformabli conform, radicalli radic, differentli differ, ' +
  'vileli vile, analogousli analog, vietnamization vietnam, predication predic, operator oper, feudalism feudal, decisiveness decis, hopefulness hope, callousness callous, ' +
  'formaliti formal, sensitiviti sensit, sensibiliti sensibl, triplicate triplic, formative form, formalize formal, electriciti electr, electrical electr, hopeful hope, goodness good, ' +
  'revival reviv, allowance allow, inference infer, airliner airlin, gyroscopic gyroscop, adjustable adjust, defensible defens, irritant irrit, replacement replac, adjustment adjust, ' +
  'dependent depend, adoption adopt, homologou homolog, communism commun, activate activ, angulariti angular, homologous homolog, effective effect, bowdlerize bowdler, ' +
  'probate probat, rate rate, cease ceas, controll control, roll roll, generalizations gener, oscillators oscil, by by, ye ye, yes ye, syzygy syzygi, is is';

test("Porter's published examples", () => {
  for (const pair of STEMS.split(', ')) {
    const [word = '', stem = ''] = pair.split(' ');
    expect(stemmer(word), word).toBe(stem);
  }
});

describe('terms', () => {
  const terms = (text: string, stemming: boolean, stopWords: boolean): string[] => {
    const found: string[] = [];
    new Analyzer({ stemming, stopWords }).eachTerm(text, (term) => found.push(term.text));
    return found;
  };

  test('stemming and stop words are each a choice', () => {
    const text = "The cats of Newton's cousins were running";
    expect(terms(text, true, true)).toEqual(['cat', 'newton', 'cousin', 'were', 'run']);
    expect(terms(text, false, true)).toEqual(['cats', 'newton', 'cousins', 'were', 'running']);
    expect(terms(text, true, false)).toEqual(['the', 'cat', 'of', 'newton', 'cousin', 'were', 'run']);
    expect(terms(text, false, false)).toEqual(['the', 'cats', 'of', 'newton', 'cousins', 'were', 'running']);
  });

  test('words that are names of properties are words', () => {
    expect(terms('constructor __proto__ toString', false, true)).toEqual(['constructor', '__proto__', 'tostring']);
  });
});

test('code points are ordered as UTF-8 is', () => {
  const words = ['a', 'b', 'ab', 'é', '\uffff', '\u{1f600}', '\ue000', '日', ''];
  const byBytes = [...words].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  expect([...words].sort(compareCodePoints)).toEqual(byBytes);
});
