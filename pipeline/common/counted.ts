/** The noun that goes with a count: "1 clip", "2 clips"; `many` where an "s" is not enough. */
export const pluralOf = (count: number, one: string, many = `${one}s`) => (count === 1 ? one : many)

/** "1 clip", "2 clips". */
export const counted = (count: number, one: string, many?: string) => `${count} ${pluralOf(count, one, many)}`
