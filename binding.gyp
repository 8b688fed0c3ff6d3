{
  # A shim for tools that look for this file. The build is CMakeLists.txt, driven by native/build.mjs.
  "targets": [
    {
      "target_name": "t1_engine",
      "type": "none",
      "actions": [
        {
          "action_name": "cmake",
          "inputs": ["CMakeLists.txt"],
          "outputs": ["build/Release/t1_engine.node"],
          "action": ["node", "native/build.mjs"]
        }
      ]
    }
  ]
}
