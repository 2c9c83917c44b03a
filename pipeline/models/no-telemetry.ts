/**
 * Import this module before any module that loads ONNX Runtime or starts a thread that loads it.
 *
 * Since version 1.29, the runtime sends usage data from Linux unless this variable is set before its native library is
 * loaded, and it keeps a device id in the user's cache folder. Native code reads the environment of the process. Only
 * the main thread can change that environment: `process.env` of a worker thread is a copy.
 */
import { isMainThread } from 'node:worker_threads'

const variable = 'ORT_DISABLE_TELEMETRY'

if (isMainThread) process.env[variable] = '1'
else if (process.env[variable] !== '1')
  throw new Error(
    `${variable} must be 1 before a thread loads ONNX Runtime: import no-telemetry.js in the main thread`,
  )
