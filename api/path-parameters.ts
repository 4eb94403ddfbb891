import { z } from 'zod';
import { checkTypeField } from './schemas/checks.ts';

/**
 * What the names in paths mean, wherever they stand, for the OpenAPI document. The examples are those of the things that the
 * endpoints' own examples make: `104` is the VM of `registerVm`.
 */
const PATH_PARAMETERS: Readonly<Record<string, { description: string; example: string; schema?: z.ZodType }>> = {
  id: { description: 'Id or externalId of a VM', example: '104' },
  checkType: { description: 'Type of a check', example: 'http', schema: checkTypeField },
  policyId: { description: 'Id of a policy', example: '01a20f33-0000-7000-8000-000000000001' },
  providerId: { description: 'Id or name of a provider', example: 'rack-2' },
  tenantId: { description: 'Id of a tenant', example: 'acme' },
  tokenId: { description: 'Id of a token, never the token itself', example: '01a20f33-0000-7000-8000-000000000002' },
};

/** The parameters of a path that is written as Express writes it. @throws Error for a name that nothing is said of here */
export function pathParametersOf(path: string): z.ZodObject | null {
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
  if (names.length === 0) return null;
  const parameters = names.map((name) => {
    const said = PATH_PARAMETERS[name];
    if (said === undefined) throw new Error(`Describe the parameter :${name} of ${path} in api/path-parameters.ts.`);
    const { description, example, schema = z.string() } = said;
    return [name, schema.meta({ param: { description, example } })];
  });
  return z.object(Object.fromEntries(parameters));
}
