export { seededRandom } from '../../pipeline/common/seeded-random.js'
