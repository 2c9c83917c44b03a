/** What a result says about a clip that was not fully looked at. */
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
