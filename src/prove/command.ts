export async function runProve(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<0 | 1 | 2> {
  return args.length + Object.keys(environment).length > 0 ? 2 : 2;
}
