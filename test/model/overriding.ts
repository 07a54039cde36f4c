import type { Engine } from "#object/engine.ts";

/** An engine some of whose methods are others. */
export function overriding(engine: Engine, own: Partial<Engine>): Engine {
  return new Proxy(engine, {
    get: (target, name) => {
      const method: unknown = Reflect.get(own, name) ?? Reflect.get(target, name);
      return typeof method === "function" ? method.bind(target) : method;
    },
  });
}
