import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/**
 * Typed search attributes: `temporal workflow list -q "VmName='web-1'"`. Keyword, so that a name is found as a whole: as Text it
 * would be found by each of its words.
 */
export const VM_NAME = defineSearchAttributeKey('VmName', SearchAttributeType.KEYWORD);
export const VM_STATUS = defineSearchAttributeKey('VmStatus', SearchAttributeType.KEYWORD);
export const VM_TENANT = defineSearchAttributeKey('VmTenant', SearchAttributeType.KEYWORD);
export const VM_PROVIDER = defineSearchAttributeKey('VmProvider', SearchAttributeType.KEYWORD);
export const VM_HOST = defineSearchAttributeKey('VmHost', SearchAttributeType.KEYWORD);
