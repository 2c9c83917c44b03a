/** Objects with keys that are data, for example states of clips. Their keys are not part of the surface. */
const maps: ReadonlySet<string> = new Set(['states'])

/**
 * The keys of JSON outputs with the types of their values, by path: `results[].score: number`. A key that
 * some of the objects at its place lack ends with a question mark. Elements of a list are `[]`, values of a
 * map `{}`.
 */
export function jsonKeys(outputs: readonly unknown[]): Record<string, string> {
  const found: Record<string, string> = {}
  addKeys(found, '', outputs)
  return found
}

function addKeys(found: Record<string, string>, path: string, values: readonly unknown[]): void {
  if (path !== '') found[path] = [...new Set(values.map(typeOf))].sort().join(' | ')
  const items = values.filter((value): value is unknown[] => Array.isArray(value)).flat()
  if (items.length > 0) addKeys(found, `${path}[]`, items)
  const objects = values.flatMap((value) => (isObject(value) ? [new Map(Object.entries(value))] : []))
  if (maps.has(path.replace(/.*\./, '').replace('?', ''))) {
    const inside = objects.flatMap((object) => [...object.values()])
    if (inside.length > 0) addKeys(found, `${path}{}`, inside)
    return
  }
  const keys = [...new Set(objects.flatMap((object) => [...object.keys()]))].sort()
  for (const key of keys) {
    const own = objects.flatMap((object) => (object.has(key) ? [object.get(key)] : []))
    const optional = own.length < objects.length ? '?' : ''
    addKeys(found, `${path === '' ? '' : `${path}.`}${key}${optional}`, own)
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const typeOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value
