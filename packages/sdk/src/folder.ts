export { findEntry, loadFolder, readFolderConfig } from './integration/folder.ts'
export { findConfigs, validateConfig, type Validated, type ValidateOptions } from './integration/validate.ts'
