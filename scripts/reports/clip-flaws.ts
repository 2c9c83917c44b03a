/** What a result says of a clip that was not looked at as a whole. */
export function flawsOf(result: {
  readonly truncated?: boolean
  readonly lostS?: number
  readonly leftOut?: readonly string[]
}): string[] {
  const { truncated, lostS, leftOut = [] } = result
  return [
    ...(truncated === true ? ['truncated'] : []),
    ...(lostS === undefined ? [] : [`damaged: ${lostS.toFixed(1)} s could not be decoded`]),
    ...leftOut,
  ]
}
