// From values to pixels, and where the ticks are.

export function linear([from, to], [start, end]) {
  const width = to - from || 1;
  return (value) => start + ((value - from) / width) * (end - start);
}

export function logarithmic([from, to], range) {
  const scale = linear([Math.log(from), Math.log(to)], range);
  return (value) => scale(Math.log(Math.max(value, from)));
}

/** Round values between two, about so many. */
export function ticks(from, to, about = 4) {
  const rough = (to - from) / about || 1;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].find((each) => each * size >= rough) * size;
  const first = Math.ceil(from / step - 1e-9);
  const number = Math.floor(to / step + 1e-9) - first + 1;
  return Array.from({ length: Math.max(number, 0) }, (_, n) => (first + n) * step);
}

/** Ones and threes of every decade between two; only ones where those are enough. */
export function logTicks(from, to, most = 7) {
  const decades = [];
  for (let n = Math.floor(Math.log10(from)); n <= Math.ceil(Math.log10(to)); n += 1) decades.push(10 ** n);
  const within = (values) => values.filter((value) => value >= from * 0.999 && value <= to * 1.001);
  const fine = within(decades.flatMap((each) => [each, 2 * each, 5 * each]));
  const usual = within(decades.flatMap((each) => [each, 3 * each]));
  return [fine, usual, within(decades)].find((each) => each.length <= most) ?? within(decades).filter((_, n) => n % 2 === 0);
}

const STEPS_S = [60, 180, 300, 600, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 432000, 604800];

/** Round instants between two, UTC, about so many. */
export function timeTicks(from, to, about = 6) {
  const step = STEPS_S.find((each) => (to - from) / each <= about) ?? STEPS_S.at(-1);
  const first = Math.ceil(from / step);
  return Array.from({ length: Math.max(Math.floor(to / step) - first + 1, 0) }, (_, n) => (first + n) * step);
}
