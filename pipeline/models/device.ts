import { CameoError } from '../common/errors.js'

/** The device that a person asked for. */
export type DeviceChoice =
  { readonly kind: 'auto' } | { readonly kind: 'cpu' } | { readonly kind: 'cuda'; readonly index: number }

/** `auto`, `cpu`, `cuda` or `cuda:N`. Throws USAGE. */
export function parseDevice(text: string): DeviceChoice {
  if (text === 'auto' || text === 'cpu') return { kind: text }
  const cuda = /^cuda(?::(\d+))?$/.exec(text)
  if (cuda !== null) return { kind: 'cuda', index: Number(cuda[1] ?? 0) }
  throw new CameoError('USAGE', `unknown device "${text}": choose auto, cpu, cuda or cuda:N`)
}

export function formatDevice(device: DeviceChoice): DeviceChoice['kind'] | `cuda:${number}` {
  return device.kind === 'cuda' ? `cuda:${device.index}` : device.kind
}
