/**
 * The results of `map` in the order of the items, at most `limit` under way at once. With a limit of 1 each item is begun
 * when the one before is done, so scratch memory can be shared. After a failure nothing more is begun.
 */
export async function mapInFlight<T, R>(
  items: readonly T[],
  limit: number,
  map: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  // One iterator for all lanes: each takes the next item that is left.
  const left = items.entries()
  let hasFailed = false
  const lane = async () => {
    for (const [index, item] of left) {
      if (hasFailed) return
      try {
        results[index] = await map(item)
      } catch (error) {
        hasFailed = true
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane))
  return results
}
