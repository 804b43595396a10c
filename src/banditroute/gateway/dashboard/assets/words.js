// How numbers are written: as in the reports. Quality as .923, dollars with two telling digits, shares as percents.

export const ABSENT = "–";
const MINUS = "−";
const UNITS = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];

export const isKnown = (value) => typeof value === "number" && Number.isFinite(value);

export function count(value) {
  return isKnown(value) ? Math.round(value).toLocaleString("en-US") : ABSENT;
}

export function plural(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

export function quality(value, decimals = 3) {
  if (!isKnown(value)) return ABSENT;
  const text = Math.abs(value).toFixed(decimals);
  const short = Number(text) < 1 ? text.replace("0.", ".") : text;
  return (value < 0 && Number(text) !== 0 ? MINUS : "") + short;
}

export function interval(low, high) {
  return isKnown(low) && isKnown(high) ? `${quality(low)} to ${quality(high)}` : ABSENT;
}

export function percent(share) {
  if (!isKnown(share)) return ABSENT;
  if (share > 0 && share < 0.001) return "<0.1%";
  if (share >= 0.995 && share < 1) return ">99%";
  const text = (100 * share).toFixed(share > 0 && share < 0.00995 ? 1 : 0);
  return `${Number(text).toLocaleString("en-US")}%`;
}

function decimalsOf(value, digits) {
  if (value === 0) return 0;
  const size = Math.floor(Math.log10(Number(Math.abs(value).toExponential(digits - 1))));
  return Math.abs(value) >= 1 ? 2 : digits - 1 - size;
}

export function money(value, digits = 2) {
  if (!isKnown(value)) return ABSENT;
  const decimals = decimalsOf(value, digits);
  if (decimals > 9) return `$${value.toExponential(digits - 1)}`;
  const text = Math.abs(value).toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  return `${value < 0 ? MINUS : ""}$${text}`;
}

/** Dollars along an axis: no zeros at the end. */
export function moneyTick(value) {
  return value === 0 ? "$0" : money(value).replace(/(\.\d*?[1-9])0+$|\.0+$/, "$1");
}

export function seconds(value) {
  if (!isKnown(value)) return ABSENT;
  const small = value > 0 && value < 0.9995;
  const number = small ? 1000 * value : value;
  const text = number >= 1000 ? count(number) : number.toPrecision(3).replace(/\.$/, "");
  return `${text} ${small ? "ms" : "s"}`;
}

export function stretch(lengthS) {
  const [size, unit] = UNITS.find(([each]) => lengthS >= each) ?? UNITS[3];
  return plural(Math.round(lengthS / size), unit);
}

export function ago(at, now) {
  return now - at < 1 ? "just now" : `${stretch(now - at)} ago`;
}

const two = (number) => String(number).padStart(2, "0");
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The hour of an instant, UTC. */
export function hour(at) {
  const date = new Date(1000 * at);
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
}

export function clock(at) {
  return `${hour(at)}:${two(new Date(1000 * at).getUTCSeconds())}`;
}

export function day(at) {
  const date = new Date(1000 * at);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
}

export function date(at) {
  return `${day(at)} ${clock(at)}`;
}

/** A name that is no longer than so many characters: its two ends, where models differ. */
export function shorten(name, most) {
  if (name.length <= most) return name;
  const head = Math.floor((most - 1) / 2);
  return `${name.slice(0, head)}…${name.slice(name.length - (most - 1 - head))}`;
}
