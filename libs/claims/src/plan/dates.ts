/** How a system writes a moment. */
export const dateFormats = ['iso', 'generalizedTime', 'fileTime', 'epoch', 'epochMilliseconds'] as const;
export type DateFormat = (typeof dateFormats)[number];

const fileTimeEpoch = 11_644_473_600_000n;
/** AD's two ways to say never (MS-ADA1 accountExpires). */
const never = new Set(['0', '9223372036854775807']);

/** The moment, in milliseconds since 1970; `never` for AD's words for it; undefined where the text is not of this format. */
export function readDate(text: string, format: DateFormat): number | 'never' | undefined {
  switch (format) {
    case 'iso':
      return readIso(text);
    case 'generalizedTime':
      return readGeneralizedTime(text);
    case 'fileTime': {
      if (never.has(text)) return 'never';
      return /^\d{1,19}$/.test(text) ? inRange(Number(BigInt(text) / 10_000n - fileTimeEpoch)) : undefined;
    }
    case 'epoch':
      return /^-?\d{1,12}$/.test(text) ? inRange(Number(text) * 1_000) : undefined;
    case 'epochMilliseconds':
      return /^-?\d{1,15}$/.test(text) ? inRange(Number(text)) : undefined;
  }
}

/** ISO 8601: a date, or a date and a time with Z or an offset. A time without either is read as UTC; a date is its first moment. */
function readIso(text: string): number | undefined {
  const match = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?)?$/.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '0', zone = 'Z'] = match;
  return moment([year!, month!, day!, hour, minute, second], fraction, zone);
}

/** GeneralizedTime (RFC 4517 §3.3.13), such as 20261126004108.0Z. */
function readGeneralizedTime(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(?:(\d\d)(\d\d)?)?(?:[.,](\d{1,9}))?(Z|[+-]\d\d(?:\d\d)?)$/.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '0', zone] = match;
  if (match[7] !== undefined && second === undefined) return undefined;
  return moment([year!, month!, day!, hour!, minute ?? '00', second ?? '00'], fraction, zone!);
}

function moment(parts: readonly string[], fraction: string, zone: string): number | undefined {
  const [year, month, day, hour, minute, second] = parts.map(Number) as [number, number, number, number, number, number];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day || hour > 23 || minute > 59 || second > 59) return undefined;
  const offset = zone === 'Z' ? 0 : offsetOf(zone);
  const milliseconds = Math.trunc(Number(`0.${fraction}`) * 1_000);
  return offset === undefined
    ? undefined
    : inRange(date.getTime() + ((hour * 60 + minute - offset) * 60 + second) * 1_000 + milliseconds);
}

function offsetOf(zone: string): number | undefined {
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3).replace(':', '') || '0')];
  return hours > 14 || minutes > 59 ? undefined : (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

/** Years 0001 to 9999, which every format can write. */
function inRange(milliseconds: number): number | undefined {
  return milliseconds >= -62_135_596_800_000 && milliseconds <= 253_402_300_799_999 ? milliseconds : undefined;
}

/** `date`, `dateTime`, `epoch`, or a pattern of yyyy MM dd HH mm ss and signs; in UTC. */
export const datePattern = /^(?=.*yyyy)(?:yyyy|MM|dd|HH|mm|ss|[^A-Za-z])+$/;

export function writeDate(milliseconds: number, format: string): string {
  const iso = new Date(milliseconds).toISOString();
  if (format === 'date') return iso.slice(0, 10);
  if (format === 'dateTime') return `${iso.slice(0, 19)}Z`;
  if (format === 'epoch') return String(Math.floor(milliseconds / 1_000));
  const parts: Readonly<Record<string, string>> = {
    yyyy: iso.slice(0, 4),
    MM: iso.slice(5, 7),
    dd: iso.slice(8, 10),
    HH: iso.slice(11, 13),
    mm: iso.slice(14, 16),
    ss: iso.slice(17, 19),
  };
  return format.replaceAll(/yyyy|MM|dd|HH|mm|ss/g, (part) => parts[part]!);
}
