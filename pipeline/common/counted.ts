/** The noun for a count: "1 clip", "2 clips". `many` is the plural if it is not `one` with an "s". */
export const pluralOf = (count: number, one: string, many = `${one}s`) => (count === 1 ? one : many)

/** "1 clip", "2 clips". */
export const counted = (count: number, one: string, many?: string) => `${count} ${pluralOf(count, one, many)}`
