import { Option } from 'commander'
import { readHeadFile } from '../../../pipeline/describe/head/head-file.js'
import type { DeviceChoice } from '../../../pipeline/models/device.js'
import { startDescribeWorker } from '../../../workers/kafka/stages/describe/describe-worker.js'
import { startDescriber } from '../../../workers/threads/describe-handle.js'
import { deviceOption } from '../../cli/options.js'
import { runStageCommand, stageCommand, type CommonOptions } from './stage-command.js'

interface DescribeOptions extends CommonOptions {
  readonly head?: string
  readonly device: DeviceChoice
}

export const describeCommand = stageCommand(
  'describe',
  'Turn the embeddings of each track into its descriptor. Any number, anywhere.',
)
  .addOption(
    new Option(
      '--head <file>',
      'ONNX head over the pooled embedding, the same that clips are submitted with',
    ),
  )
  .addOption(deviceOption())
  .action(async (options: DescribeOptions) => {
    const { device } = options
    const head = options.head === undefined ? undefined : await readHeadFile(options.head)
    const describer = startDescriber({ headFile: head?.path, device })
    await runStageCommand('describe', options, (context) => startDescribeWorker({ context, describer, head }))
    await describer.stop()
  })
