import { readFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { AuditLog } from '../../index/audit/audit-log.js'
import { parsePublicKey } from '../../index/audit/signatures.js'
import { findReceipt, listReceipts, receiptKeyOf } from '../../index/erasure/list-receipts.js'
import { parseReceipt, verifyReceipt, type Receipt } from '../../index/erasure/receipt.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { archiveOption, jsonOption } from '../cli/options.js'
import { counted, exitCodes, print, printJson } from '../cli/output.js'
import { receiptText } from '../reports/receipt-report.js'

interface ReceiptOptions {
  readonly archive: string
  readonly json: boolean
}

const withCommon = (command: Command) => command.addOption(archiveOption()).addOption(jsonOption())

const listCommand = withCommon(new Command('list'))
  .description('List the receipts of erasures.')
  .addHelpText(
    'after',
    `
With --json: {receipts}. Keep this file outside of the archive: "cameo restore --erasures FILE" erases again what a backup brings back.`,
  )
  .action(({ archive, json }: ReceiptOptions) => {
    withLog(archive, (log) => {
      const receipts = listReceipts(log)
      if (json) printJson({ receipts })
      else for (const receipt of receipts) print(lineOf(receipt))
      if (!json && receipts.length === 0) print('nothing was erased')
    })
    process.exitCode = exitCodes.ok
  })

const lineOf = ({ receiptId, at, state, subject, reference, completes }: Receipt) =>
  [
    `${receiptId}  ${at}  ${counted(subject.count, subject.kind.replace(/s$/, ''))}  ${state}`,
    ...(completes === undefined ? [] : [`finishes ${completes}`]),
    ...(reference === receiptId ? [] : [`number ${reference}`]),
  ].join('  ')

const showCommand = withCommon(new Command('show'))
  .description('Show a receipt; with --json the signed file, for the person who asked to be erased.')
  .argument('<receipt>', 'id of the receipt')
  .action((receiptId: string, { archive, json }: ReceiptOptions) => {
    withLog(archive, (log) => {
      const receipt = findReceipt(log, receiptId)
      if (json) printJson(receipt)
      else print(receiptText(receipt))
    })
    process.exitCode = exitCodes.ok
  })

const verifyCommand = withCommon(new Command('verify'))
  .description('Check the signature of a receipt.')
  .argument('<file>', 'the receipt, as "cameo receipt show ID --json" prints it')
  .addOption(
    new Option('--key <file>', 'the public key, as "cameo receipt key" prints it: no archive is needed then'),
  )
  .addHelpText(
    'after',
    `
With --json: {valid, receiptId?, message?}.
Exit code: 0 the receipt is genuine; 1 it is not; 2 it could not be checked.`,
  )
  .action(async (file: string, { archive, json, key }: ReceiptOptions & { readonly key?: string }) => {
    process.exitCode = await verify(
      file,
      key === undefined ? receiptKeyOf(archive) : await readFile(key, 'utf8'),
      json,
    )
  })

async function verify(file: string, keyPem: string, json: boolean): Promise<number> {
  const publicKey = parsePublicKey(keyPem)
  try {
    const receipt = parseReceipt(jsonOf(await readFile(file, 'utf8')))
    verifyReceipt(receipt, publicKey)
    if (json) printJson({ valid: true, receiptId: receipt.receiptId })
    else print(`the receipt ${receipt.receiptId} of ${receipt.at} is genuine`)
    return exitCodes.ok
  } catch (error) {
    if (!(error instanceof CameoError) || error.code !== 'RECEIPT_INVALID') throw error
    if (json) printJson({ valid: false, message: error.message })
    else print(error.message)
    return exitCodes.someFailed
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new CameoError('RECEIPT_INVALID', 'this is not a receipt: it holds no JSON', { cause })
  }
}

const keyCommand = new Command('key')
  .description('Print the public key with which receipts and exports of the audit log are checked.')
  .addOption(archiveOption())
  .action(({ archive }: ReceiptOptions) => {
    print(receiptKeyOf(archive).trim())
    process.exitCode = exitCodes.ok
  })

export const receiptCommand = new Command('receipt')
  .description('The signed receipts of erasures: list, show and check them.')
  .addCommand(listCommand)
  .addCommand(showCommand)
  .addCommand(verifyCommand)
  .addCommand(keyCommand)

function withLog(archive: string, work: (log: AuditLog) => void): void {
  const log = AuditLog.open(archive)
  try {
    work(log)
  } finally {
    log.close()
  }
}
