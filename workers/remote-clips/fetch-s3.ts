import { Readable } from 'node:stream'
import type { S3Client } from '@aws-sdk/client-s3'
import { clipName } from '../../pipeline/common/display-name.js'
import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import type { RemoteFetch } from './fetch-http.js'
import { decodePath } from './url-path.js'

let client: Promise<S3Client> | undefined

/**
 * s3://bucket/key, with the AWS SDK. Credentials, region and endpoint come from the SDK's usual sources
 * (AWS_* variables, profile, instance role). For your own server (AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL)
 * the bucket is part of the path.
 */
export function fetchS3(url: URL): RemoteFetch {
  const bucket = url.host
  const key = decodePath(url.pathname).slice(1)
  return async (signal) => {
    // Loaded for the first S3 clip: most archives have none.
    const { GetObjectCommand } = await import('@aws-sdk/client-s3')
    client ??= createClient()
    try {
      const object = await (
        await client
      ).send(new GetObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: signal })
      if (!(object.Body instanceof Readable)) throw new Error('the answer has no body')
      return {
        stream: object.Body,
        sizeBytes: object.ContentLength,
        version: object.ETag ?? object.LastModified?.toISOString() ?? '',
      }
    } catch (error) {
      if (signal.aborted) throw error
      throw s3Error(bucket, key, error)
    }
  }
}

async function createClient(): Promise<S3Client> {
  const { S3Client } = await import('@aws-sdk/client-s3')
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = process.env
  return new S3Client({ forcePathStyle: (AWS_ENDPOINT_URL_S3 ?? AWS_ENDPOINT_URL) !== undefined })
}

function s3Error(bucket: string, key: string, error: unknown): CameoError {
  const name = error instanceof Error ? error.name : ''
  const clip = clipName(key)
  if (name === 'NoSuchKey' || name === 'NotFound' || name === 'NoSuchBucket')
    return new CameoError('CLIP_GONE', `${clip} is not in the bucket ${bucket}`, { cause: error })
  if (name === 'AccessDenied' || name === 'CredentialsProviderError' || name === 'InvalidAccessKeyId')
    return new CameoError(
      'CLIP_UNREADABLE',
      `the bucket ${bucket} does not give ${clip} out (${name}): check this worker's AWS credentials`,
      { retriable: false, cause: error },
    )
  return new CameoError(
    'CLIP_FETCH_FAILED',
    `${clip} cannot be fetched from the bucket ${bucket}: ${messageOf(error)}`,
    { cause: error },
  )
}
