/** Makes an effect run again when one of these changes. */
export const dependOn = (...values: readonly unknown[]): number => values.length
