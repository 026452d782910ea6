/** The editor's settings, filled up with the defaults; values of wrong types are left at theirs. */
import { DEFAULT_SETTINGS, type Settings } from '../protocol';

export function settingsFrom(given: unknown): Settings {
  return fill(DEFAULT_SETTINGS, given) as Settings;
}

function fill(standard: unknown, given: unknown): unknown {
  if (given === undefined || given === null) return standard;
  if (Array.isArray(standard)) return Array.isArray(given) ? given : standard;
  if (typeof standard !== 'object' || standard === null) return typeof given === typeof standard ? given : standard;
  if (typeof given !== 'object') return standard;
  const values = given as Record<string, unknown>;
  return Object.fromEntries(Object.entries(standard).map(([key, value]) => [key, fill(value, values[key])]));
}
