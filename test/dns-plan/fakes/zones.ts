/** The longest of these zones that a name lies in. */
export function zoneOfName(name: string, zones: readonly string[]): string {
  const found = zones.filter((each) => name === each || name.endsWith(`.${each}`));
  return found.toSorted((a, b) => b.length - a.length)[0] ?? '';
}
