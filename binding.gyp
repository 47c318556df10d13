# The build that ships. CMakeLists.txt is the developer's; both take their sources from native/sources.txt.
{
  'targets': [
    {
      'target_name': 'offloop',
      'sources': ['<!@(node -p "require(\'fs\').readFileSync(\'native/sources.txt\', \'utf8\').trim().split(/\\s+/).map((path) => \'native/\' + path).join(\' \')")'],
      'include_dirs': [
        'native',
        'native/include',
        '<!(node -p "require(\'node-addon-api\').include_dir")',
        # relative, because the path of a project may hold a space
        '<!(node -p "require(\'path\').relative(\'.\', require(\'node-api-headers\').include_dir)")',
      ],
      'defines': ['NAPI_VERSION=8', 'NAPI_CPP_EXCEPTIONS', 'NODE_ADDON_API_CPP_EXCEPTIONS_ALL', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS', 'NODE_ADDON_API_DISABLE_DEPRECATED'],
      'cflags': ['-fvisibility=hidden', '-Wall', '-Wextra', '-Wno-unused-parameter', '-Wno-missing-field-initializers'],
      'cflags_cc': ['-std=c++20'],
      'cflags_cc!': ['-fno-exceptions', '-std=gnu++17', '-std=gnu++20'],
      'configurations': {
        'Release': {'cflags': ['-O2'], 'cflags!': ['-O3']},
      },
      'conditions': [
        ['OS=="win"', {
          'defines': ['_WIN32_WINNT=0x0A00', 'WIN32_LEAN_AND_MEAN', 'NOMINMAX'],
          'libraries': ['-lws2_32', '-lwinmm', '-lntdll', '-lsynchronization'],
        }],
        ['OS!="win" and OS!="mac"', {
          'cflags': ['-pthread'],
          # the path is seen from build/
          'ldflags': ['-pthread', '-Wl,--version-script=../native/exports.map'],
        }],
      ],
      'xcode_settings': {
        'CLANG_CXX_LANGUAGE_STANDARD': 'c++20',
        'GCC_ENABLE_CPP_EXCEPTIONS': 'YES',
        'GCC_OPTIMIZATION_LEVEL': '2',
        'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
        'MACOSX_DEPLOYMENT_TARGET': '11.0',
      },
      'msvs_settings': {
        'VCCLCompilerTool': {'AdditionalOptions': ['/std:c++20'], 'ExceptionHandling': 1},
      },
    },
  ],
}
