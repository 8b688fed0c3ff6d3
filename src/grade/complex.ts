/** Complex numbers in double precision, principal branches. */

export interface Complex {
  readonly re: number;
  readonly im: number;
}

export const complex = (re: number, im = 0): Complex => ({ re, im });
export const add = (a: Complex, b: Complex): Complex => complex(a.re + b.re, a.im + b.im);
export const negate = (a: Complex): Complex => complex(-a.re, a.im === 0 ? 0 : -a.im);
export const multiply = (a: Complex, b: Complex): Complex =>
  a.im === 0 && b.im === 0 ? complex(a.re * b.re) : complex(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re);
export function divide(a: Complex, b: Complex): Complex {
  if (b.im === 0) return complex(a.re / b.re, a.im / b.re);
  const size = b.re * b.re + b.im * b.im;
  return complex((a.re * b.re + a.im * b.im) / size, (a.im * b.re - a.re * b.im) / size);
}
export const abs = (a: Complex): number => (a.im === 0 ? Math.abs(a.re) : Math.hypot(a.re, a.im));
export const isFiniteNumber = (a: Complex): boolean => Number.isFinite(a.re) && Number.isFinite(a.im);

export function exp(a: Complex): Complex {
  const size = Math.exp(a.re) || NaN; // an underflow is no zero
  return a.im === 0 ? complex(size) : complex(size * Math.cos(a.im), size * Math.sin(a.im));
}

export const log = (a: Complex): Complex =>
  a.im === 0 && a.re > 0 ? complex(Math.log(a.re)) : complex(Math.log(abs(a)), Math.atan2(a.im, a.re));

export function sqrt(a: Complex): Complex {
  if (a.im === 0) return a.re >= 0 ? complex(Math.sqrt(a.re)) : complex(0, Math.sqrt(-a.re));
  const size = abs(a);
  return complex(Math.sqrt((size + a.re) / 2), Math.sign(a.im) * Math.sqrt((size - a.re) / 2));
}

export function power(base: Complex, exponent: Complex): Complex {
  if (exponent.im === 0 && base.im === 0 && (base.re > 0 || Number.isInteger(exponent.re)))
    return complex(base.re ** exponent.re || (base.re === 0 ? 0 : NaN)); // an underflow is no zero
  if (base.re === 0 && base.im === 0) return exponent.re > 0 ? complex(0) : complex(NaN);
  if (exponent.im === 0 && Number.isInteger(exponent.re) && Math.abs(exponent.re) <= 64)
    return wholePower(base, exponent.re);
  return exp(multiply(exponent, log(base)));
}

function wholePower(base: Complex, exponent: number): Complex {
  let result = complex(1);
  for (let i = 0; i < Math.abs(exponent); i++) result = multiply(result, base);
  return exponent < 0 ? divide(complex(1), result) : result;
}

export const sin = (a: Complex): Complex =>
  a.im === 0 ? complex(Math.sin(a.re)) : complex(Math.sin(a.re) * Math.cosh(a.im), Math.cos(a.re) * Math.sinh(a.im));
export const cos = (a: Complex): Complex =>
  a.im === 0 ? complex(Math.cos(a.re)) : complex(Math.cos(a.re) * Math.cosh(a.im), -Math.sin(a.re) * Math.sinh(a.im));

/** -i·ln(iz + √(1 − z²)) */
export function asin(z: Complex): Complex {
  if (z.im === 0 && Math.abs(z.re) <= 1) return complex(Math.asin(z.re));
  const root = sqrt(add(complex(1), negate(multiply(z, z))));
  const inner = log(add(multiply(complex(0, 1), z), root));
  return complex(inner.im, -inner.re);
}

/** i/2·ln((i + z)/(i − z)) */
export function atan(z: Complex): Complex {
  if (z.im === 0) return complex(Math.atan(z.re));
  const inner = log(divide(add(complex(0, 1), z), add(complex(0, 1), negate(z))));
  return complex(-inner.im / 2, inner.re / 2);
}

const LANCZOS = [
  676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** Γ(x + 1) of a real number, by Lanczos's approximation (g = 7, n = 9); exact for whole numbers up to 170. */
export function factorial(x: number): number {
  if (Number.isInteger(x)) {
    if (x < 0 || x > 170) return NaN;
    let product = 1;
    for (let i = 2; i <= x; i++) product *= i;
    return product;
  }
  if (x < -0.5) return (Math.PI * x) / (Math.sin(Math.PI * x) * factorial(-x)); // Γ(1+x)Γ(1−x) = πx/sin πx
  let sum = 0.99999999999980993;
  for (const [i, term] of LANCZOS.entries()) sum += term / (x + i + 1);
  const t = x + LANCZOS.length - 0.5;
  return Math.sqrt(2 * Math.PI) * t ** (x + 0.5) * Math.exp(-t) * sum;
}
